// Command allocation allocates order lines to batches of stock: commands come from Kafka, are
// decided and kept in Postgres, and events go back to Kafka. Run it with --help.
package main

import (
	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/service"
)

func main() { program.Main(service.Hooks{}) }
