"""The papers' experiments with our models, and measurements of the speed."""
