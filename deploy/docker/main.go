// Command docker makes the container image of the program, without an engine:
//
//	go run ./deploy/docker -o allocation.tar
//	docker load -i allocation.tar        (or podman load, or skopeo copy docker-archive:allocation.tar …)
//
// The image is one layer: the program, and the authorities that TLS trusts. How it runs is what the
// last stage of the Dockerfile says. The same sources and the same Go give the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docker:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("docker", flag.ExitOnError)
	output := flags.String("o", "", "write the image to this file, as \"docker save\" would")
	root := flags.String("root", "", "or write only its files, into this folder")
	tag := flags.String("tag", "allocation:latest", "what the image is called where it is loaded")
	arch := flags.String("arch", runtime.GOARCH, "the processor that it is for, as Go calls it")
	_ = flags.Parse(args)
	if (*output == "") == (*root == "") || flags.NArg() > 0 {
		return errors.New("either -o or -root must be given, and nothing else")
	}
	files, err := contents(*arch)
	if err != nil {
		return err
	}
	if *root != "" {
		return writeFolder(*root, files)
	}
	config, err := lastStage(dockerfile)
	if err != nil {
		return err
	}
	archive, err := pack(files, config, *arch, *tag)
	if err != nil {
		return err
	}
	return os.WriteFile(*output, archive, 0o644)
}
