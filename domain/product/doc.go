// Package product is the Product aggregate: commands in, events out, and their JSON data. It has no
// I/O, clock, goroutine or randomness: the same command on the same state gives the same events.
//
// A product may have a million past lines and a million waiting ones, so decisions are made on the
// part of it that was loaded. A Catalog holds that part, for one transaction after the other. It
// knows exactly what it does not know, and asks for more with a Need when a decision would depend
// on it:
//
//	need := product.NewNeed()               // guess what the commands will need
//	need.Expect(cmd)                        // ... for each command
//	catalog.Spare(need)                     // ... that is not known from transactions before
//	catalog.LearnProduct(...)               // load it, and tell
//	result := catalog.Apply(cmd, id)        // decide; while result.Need != nil, load that and apply again
//	catalog.Products()                      // what to write, and the versions that must still be so
//	catalog.Committed()                     // go on with the next transaction, or throw the catalog away
//
// What makes small parts sufficient:
//
//   - After every command, no waiting line fits on any batch. So a line that waited before the
//     command can only go to the one batch whose stock the command raised, and a new line never
//     competes with waiting ones.
//   - What is unknown was not changed, so it still is as it was loaded: every unknown open batch is
//     beyond the window of open batches (see open), every unknown waiting line outside the known
//     quantities (see waiting), and every unknown line on a batch was placed before its known tail
//     (see batch).
//   - A decision is worked out completely before anything is changed, so a Need leaves no trace.
//
// Nothing here may be used by two goroutines at once.
package product
