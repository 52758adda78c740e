package api_test

import (
	"testing"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
