package service

import (
	"os"
	"runtime/debug"
)

// A worker at full speed keeps little and leaves much behind. So Go lets garbage grow to several
// times of what is kept, and collects it more often only where the memory comes near the limit.
const (
	defaultMemory  = 170 << 20
	defaultGarbage = 400 // percent
)

// limitMemory sets how much memory is used, unless GOMEMLIMIT and GOGC do.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(defaultMemory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(defaultGarbage)
	}
}
