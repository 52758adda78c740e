// Package offsets is about positions: it compares them with Kafka's logs, and carries out what an
// operator decides about those that cannot be used.
package offsets

// Command is "offsets" on the command line.
type Command struct {
	List   listCommand   `cmd:"" help:"Print the position of each partition, and why it cannot be used."`
	Accept acceptCommand `cmd:"" help:"End a quarantine: accept the log as it is."`
	Reset  resetCommand  `cmd:"" help:"Set positions to another offset."`
}
