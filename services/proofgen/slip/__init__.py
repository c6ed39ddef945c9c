"""The packing slip: what lies in the parcel, for whoever picks, packs and opens it. Drawn as the proof is."""
