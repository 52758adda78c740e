package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// image is the image as the program writes it, made once for the test run.
var image = sync.OnceValues(makeImage)

// makeImage runs the program as people do, and not in this process: packing takes much longer where
// races are looked for.
func makeImage() ([]byte, error) {
	dir, err := os.MkdirTemp("", "allocation-image-test-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "allocation.tar")
	if out, err := exec.Command("go", "run", "allocation/deploy/docker", "-o", path).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(path)
}

// loaded is an image as an engine reads it: by the names of the manifest.
type loaded struct {
	names manifest
	image v1.Image
	layer []*tar.Header
	files map[string][]byte
}

var (
	loading sync.Mutex
	kept    *loaded
)

// load reads the image, once for the test run.
func load(t *testing.T) loaded {
	t.Helper()
	loading.Lock()
	defer loading.Unlock()
	if kept == nil {
		archive, err := image()
		require.NoError(t, err)
		l := open(t, archive)
		kept = &l
	}
	return *kept
}

// open reads an image of one layer, compressed or not.
func open(t *testing.T, archive []byte) loaded {
	t.Helper()
	_, parts := untar(t, archive)
	var list []manifest
	require.NoError(t, json.Unmarshal(parts["manifest.json"], &list))
	l := loaded{names: list[0]}
	require.Len(t, l.names.Layers, 1)
	require.NoError(t, json.Unmarshal(parts[l.names.Config], &l.image))
	layer := parts[l.names.Layers[0]]
	if unpacked, err := gzip.NewReader(bytes.NewReader(layer)); err == nil {
		layer, err = io.ReadAll(unpacked)
		require.NoError(t, err)
	}
	require.Equal(t, []digest.Digest{digest.FromBytes(layer)}, l.image.RootFS.DiffIDs)
	l.layer, l.files = untar(t, layer)
	return l
}

// contents is what the layer was made of.
func (l loaded) contents() []file {
	var files []file
	for _, h := range l.layer {
		files = append(files, file{name: strings.TrimSuffix(h.Name, "/"), mode: h.FileInfo().Mode(), data: l.files[h.Name]})
	}
	return files
}

func untar(t *testing.T, data []byte) (headers []*tar.Header, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return headers, files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		headers, files[header.Name] = append(headers, header), content
	}
}

func TestImage_isWhatTheDockerfileSays(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	l := load(t)
	require.Equal(t, v1.ImageConfig{
		User:         "65532:65532",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Env:          []string{"HTTP_ADDR=:8080"},
		Entrypoint:   []string{"/allocation"},
		Cmd:          []string{"worker"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "allocation",
			"org.opencontainers.image.description": "Allocates order lines to batches of stock",
			"org.opencontainers.image.licenses":    "Apache-2.0",
		},
	}, l.image.Config)
	require.Equal(t, v1.Platform{Architecture: runtime.GOARCH, OS: "linux"}, l.image.Platform)
	require.Equal(t, []string{"allocation:latest"}, l.names.RepoTags)
}

func TestImage_holdsTheseFilesAndNoOthers(t *testing.T) {
	t.Parallel()
	l := load(t)
	var listing []string
	for _, h := range l.layer {
		listing = append(listing, h.FileInfo().Mode().String()+" "+h.Name)
		require.Zero(t, h.Uid, h.Name)
		require.Zero(t, h.Gid, h.Name)
	}
	require.Equal(t, []string{
		"-rwxr-xr-x allocation",
		"drwxr-xr-x etc/",
		"drwxr-xr-x etc/ssl/",
		"drwxr-xr-x etc/ssl/certs/",
		"-rw-r--r-- etc/ssl/certs/ca-certificates.crt",
	}, listing)
	require.NotContains(t, string(l.files["allocation"]), "/lib64/ld-linux", "it needs no libraries")
	const aTimeZone = "Australia/Lord_Howe"
	require.Contains(t, string(l.files["allocation"]), aTimeZone)
	const fewest = 80
	pem := l.files["etc/ssl/certs/ca-certificates.crt"]
	require.Greater(t, strings.Count(string(pem), "BEGIN CERTIFICATE"), fewest)
	require.True(t, x509.NewCertPool().AppendCertsFromPEM(pem))
}

// Engines find the parts by their names, which say what is in them.
func TestImage_isOfThreeParts(t *testing.T) {
	t.Parallel()
	archive, err := image()
	require.NoError(t, err)
	_, parts := untar(t, archive)
	require.Len(t, parts, 3)
	for name, part := range parts {
		if name != "manifest.json" {
			encoded, _, _ := strings.Cut(name, ".")
			require.Equal(t, encoded, digest.FromBytes(part).Encoded())
		}
	}
}

func TestImage_isTheSameWhenItIsMadeAgain(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	first, err := image()
	require.NoError(t, err)
	again, err := makeImage()
	require.NoError(t, err)
	require.Equal(t, digest.FromBytes(first), digest.FromBytes(again))
}

// The stage of the Dockerfile that builds copies what -root wrote.
func TestFolder_holdsTheFilesOfTheImage(t *testing.T) {
	t.Parallel()
	l, root := load(t), filepath.Join(t.TempDir(), "out")
	require.NoError(t, writeFolder(root, l.contents()))
	for _, h := range l.layer {
		info, err := os.Stat(filepath.Join(root, h.Name))
		require.NoError(t, err)
		require.Equal(t, h.FileInfo().Mode(), info.Mode(), h.Name)
		if !info.IsDir() {
			require.Equal(t, h.Size, info.Size(), h.Name)
		}
	}
}

func TestProgram_wantsOneOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"-o", "x", "-root", "y"}, {"-o", "x", "y"}} {
		require.ErrorContains(t, run(args), "either -o or -root")
	}
}

func TestDockerfile_refusesWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	const scratch = "FROM golang AS build\nFROM scratch\nCOPY --from=build /out /\n"
	for text, says := range map[string]string{
		"FROM debian\n":                     "no stage from scratch",
		scratch + "HEALTHCHECK NONE\n":      "HEALTHCHECK is an instruction that is not known",
		scratch + "COPY more /more\n":       "COPY is an instruction",
		scratch + "LABEL a=b\n":             `the Dockerfile says "LABEL a=b"`,
		scratch + "ENTRYPOINT allocation\n": `the Dockerfile says "ENTRYPOINT allocation"`,
		scratch + "CMD [\"worker\", \\\n":   "CMD",
	} {
		_, err := lastStage(text)
		require.ErrorContains(t, err, says, text)
	}
}

// What the Dockerfile's context leaves out is not needed, and its Go is the module's.
func TestDockerfile_isGivenWhatItBuildsFrom(t *testing.T) {
	t.Parallel()
	ignore, err := os.ReadFile("Dockerfile.dockerignore")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(ignore), "*\n"))
	packages, err := exec.Command("go", "list", "-deps", "allocation/cmd/allocation", "allocation/deploy/docker").Output()
	require.NoError(t, err)
	folders := map[string]bool{}
	for name := range strings.FieldsSeq(string(packages)) {
		if folder, ours := strings.CutPrefix(name, "allocation/"); ours {
			depth := 1
			if strings.HasPrefix(folder, "deploy/") {
				depth = 2
			}
			parts := strings.Split(folder, "/")
			folders[strings.Join(parts[:min(depth, len(parts))], "/")] = true
		}
	}
	want := map[string]bool{"go.mod": true, "go.sum": true}
	for folder := range folders {
		want[folder] = true
	}
	got := map[string]bool{}
	for line := range strings.Lines(string(ignore)) {
		if name, kept := strings.CutPrefix(strings.TrimSpace(line), "!"); kept {
			got[name] = true
		}
	}
	require.Equal(t, want, got)

	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	require.Contains(t, dockerfile, "FROM golang:"+version+" AS build\n")
}
