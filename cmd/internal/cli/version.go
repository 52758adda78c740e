package cli

import "runtime/debug"

// Version is what the Go toolchain recorded of the build: a tag, or a commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
