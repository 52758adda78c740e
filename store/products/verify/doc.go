// Package verify checks the tables of products, batches and lines: with each other, and with what
// the events of each product add up to. How the database is read, and what else is checked, is
// [allocation/store/verify]'s.
package verify
