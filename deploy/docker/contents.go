package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is a file or a folder of the image.
type file struct {
	name string // without the leading slash
	mode fs.FileMode
	data []byte
}

// contents is all that is in the image, parents first.
func contents(arch string) ([]file, error) {
	program, err := build(arch)
	if err != nil {
		return nil, err
	}
	return []file{
		{name: "allocation", mode: 0o755, data: program},
		{name: "etc", mode: fs.ModeDir | 0o755},
		{name: "etc/ssl", mode: fs.ModeDir | 0o755},
		{name: "etc/ssl/certs", mode: fs.ModeDir | 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: authorities()},
	}, nil
}

// build builds the program for an image: it needs no library and no file of time zones, and does
// not tell where it was built.
func build(arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "allocation-image-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "allocation")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=timetzdata", "-o", path, "allocation/cmd/allocation")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return os.ReadFile(path)
}

// authorities are the ones that Mozilla trusts, as PEM. Those that it trusts under a condition are
// left out, because a file cannot say the condition.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes it all
		}
	}
	return text.Bytes()
}

// writeFolder writes the files below a folder.
func writeFolder(root string, files []file) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.name))
		var err error
		if f.mode.IsDir() {
			err = os.MkdirAll(path, f.mode.Perm())
		} else {
			err = os.WriteFile(path, f.data, f.mode.Perm())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
