"""What a change does to the results, as Markdown for a reviewer who has not seen the code."""
