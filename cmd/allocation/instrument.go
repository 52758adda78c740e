//go:build !faults

package main

import "allocation/cmd/internal/service"

// faults leave a worker as it is. The build with the tag faults puts tests' faults in here.
func faults() (none service.Hooks) { return none }
