// Package cli is what programs with subcommands share: it reads the command line, tells a person
// what went wrong, prints tables and JSON, and connects to Kafka and Postgres so that a command
// says at once where nobody answers.
//
// A program is a Program with a grammar of its own. Each command has a method
// Run(context.Context, *Program) error.
package cli
