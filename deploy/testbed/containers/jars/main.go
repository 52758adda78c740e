// Command jars prints the folder of Apache Kafka's jars, after fetching them where they are not
// there yet.
package main

import (
	"context"
	"fmt"
	"os"

	"allocation/deploy/testbed/kafka"
)

func main() {
	dir, err := kafka.Jars(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "jars:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, dir)
}
