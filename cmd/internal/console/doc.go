// Package console shows a service as web pages: how it is, and how it came to be so. It reads only;
// what changes something is a command that a page shows, and a person types.
//
// This package has what every service has: commands, dead letters, partitions, events and status. A
// service adds pages of its own. Each page is read once, and written as a page or as JSON.
//
// Pages work without scripts. With scripts, htmx swaps what changed, and a page of events grows.
package console
