"""How good is a classifier, and how sure are we? Pure functions on arrays.

Labels are class numbers 0..K-1, probabilities are arrays of shape (n_rows, K). Nothing here
knows files or how predictions were made, and only taxonomies know names.

summary                  every score with its interval; start here
comparison               do two classifiers differ, and what groups change
calibration.report       over-confident, under-confident or neutral, and all that shows it
abstention               coverage and precision of what thresholds accept
to_json                  results as plain dicts

confusion                confusion matrices, of all rows or by group
metrics                  scores from them, one or a stack
probability_metrics      scores from probabilities, row by row
baselines                what guessing would score
intervals                draws of rows or groups (bootstrap)
replicates               their intervals, paired differences of two predictors
ranking                  average precision of draws
calibration.reliability  confidence against accuracy in bins, expected calibration error
calibration.errors       calibration errors of draws
calibration.confidence   signed gap and verdict, temperature
priors                   probabilities for other class frequencies
thresholds               abstain to keep a promised precision
taxonomy                 who is whose parent; lineages of classes, probabilities of nodes
lineage_encoder          labels as multi-hot lineages and back
lineage_scores           hierarchical precision and recall, accuracy at each rank
"""
