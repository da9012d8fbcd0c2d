"""What the report shows: tables, pictures, and the notebook's claims judged."""
