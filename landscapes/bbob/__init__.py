"""The functions of the Black-Box Optimization Benchmarking of COCO, instance by instance."""
