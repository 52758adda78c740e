// Package incidents stages what people on call are asked about, and reads the answers that
// docs/incidents.md has: each by one command.
package incidents
