"""Groups and folds, models chosen and scored on rows that trained nothing."""
