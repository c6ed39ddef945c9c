"""proofgen: a claim becomes a proof of shipment. Rendering is a pure function of the claim's facts."""
