"""Which digits pictures show, as a trained run sees them."""
