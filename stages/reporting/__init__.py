"""What the report says: results read and checked, claims judged, tables written."""
