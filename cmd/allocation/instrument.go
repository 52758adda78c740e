//go:build !faults

package main

// instrument leaves a worker as it is. The build with the tag faults puts tests' faults in here.
func instrument(*wiring) {}
