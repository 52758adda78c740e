package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// origin is when everything in an image was made, so that two of the same sources are the same.
var origin = time.Unix(0, 0).UTC()

// pack makes what "docker save" would: a tar of the layer, the configuration and the manifest.
func pack(files []file, config v1.ImageConfig, arch, tag string) ([]byte, error) {
	uncompressed, err := tarOf(files)
	if err != nil {
		return nil, err
	}
	layer, err := compress(uncompressed)
	if err != nil {
		return nil, err
	}
	described, err := json.Marshal(v1.Image{
		Created:  &origin,
		Platform: v1.Platform{Architecture: arch, OS: "linux"},
		Config:   config,
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(uncompressed)}},
		History:  []v1.History{{Created: &origin, CreatedBy: "go run ./deploy/docker"}},
	})
	if err != nil {
		return nil, err
	}
	names := manifest{
		Config:   digest.FromBytes(described).Encoded() + ".json",
		RepoTags: []string{tag},
		Layers:   []string{digest.FromBytes(layer).Encoded() + ".tar.gz"},
	}
	listed, err := json.Marshal([]manifest{names})
	if err != nil {
		return nil, err
	}
	return tarOf([]file{
		{name: names.Layers[0], mode: 0o644, data: layer},
		{name: names.Config, mode: 0o644, data: described},
		{name: "manifest.json", mode: 0o644, data: listed},
	})
}

// manifest names the parts of one image in a docker archive.
type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// tarOf is a tar of files that all belong to root.
func tarOf(files []file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode.Perm()), Size: int64(len(f.data)), ModTime: origin, Format: tar.FormatUSTAR,
		}
		if f.mode.IsDir() {
			header.Typeflag, header.Name = tar.TypeDir, f.name+"/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}
