// Package buildyourown tests docs/build-your-own.md: it does what the document says.
package buildyourown
