"""An AWS stand-in on loopback: what CloudWatch, SNS and STS would answer, and what they answer on a bad day."""
