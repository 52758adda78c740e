//go:build !race

package e2e

// raceDetector: the workers are built as the tests are.
const raceDetector = false
