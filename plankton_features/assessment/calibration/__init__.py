"""Do probabilities keep what they promise?

report                all that is told of them, with the verdict as a sentence; start here
confidence            signed gap and verdict, temperature
reliability           confidence against accuracy in bins, expected calibration error
errors                calibration errors of draws
"""
