"""How results change along an axis: rates, scaling, sensitivity."""
