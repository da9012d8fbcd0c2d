"""What every stage needs of the operating system: whole files and clear failures."""
