package main

import (
	"context"
	"os"
	"testing"
)

func TestZZ(t *testing.T) {
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if code := p.run(context.Background(), []string{"send", "-f", "/tmp/b/m.jsonl"}); code != 0 {
		t.Fatal(code)
	}
}
