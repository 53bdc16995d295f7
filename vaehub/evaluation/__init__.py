"""What a trained model is worth: likelihood, scores and the doctor."""
