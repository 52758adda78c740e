package e2e

import (
	"testing"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
