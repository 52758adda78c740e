// Package e2e holds the end-to-end tests of crash safety: worker processes on real Kafka and real
// Postgres, killed and stopped at named points and at random, and a checker that knows nothing of
// the implementation.
//
// The binary is built once for a test run: it is faulty, whose workers the variable
// ALLOCATION_FAULT=point:count:action strikes. Its point.go has the points. Variables that tests
// take:
//
//	E2E_SESSION_TIMEOUT  of the group (3s)
//	E2E_COMMANDS         commands of the random kills (3000)
//	E2E_KILLS            SIGKILLs of the random kills (6)
//	E2E_SEED             of what is random; else a new one, which is printed
//	E2E_RECORD           a file to record the random kills' history in, for the checker's own tests
package e2e
