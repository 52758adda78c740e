// Package api is the service for customers: an HTTP API, and a page by which a person plays one.
//
// Whatever changes something becomes one record on the topic of commands, and a worker decides it.
// What is read comes from the tables. A process keeps nothing for itself, so any number of them may
// run. The document openapi.json says what there is.
package api
