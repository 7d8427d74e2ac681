// The command bom writes what the law and a user's scanner want to know of a binary: which modules
// are linked into it, and under which licences. It writes into a directory
//
//	licenses/MODULE/…   the licence files as they are
//	copyright           the same for Debian, in its machine-readable form
//	rendered.cdx.json   a bill of materials, in CycloneDX
//
// and fails where it does not know a licence: a person has to look at it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	binary := flag.String("binary", "", "the binary, built from this module for the GOARCH of the environment")
	version := flag.String("version", "", "its version")
	date := flag.String("date", "", "when that was made, as 2026-11-24T10:20:30Z")
	out := flag.String("out", "", "the directory to write to")
	flag.Parse()
	if err := run(*binary, *version, *date, *out); err != nil {
		fmt.Fprintf(os.Stderr, "bom: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, version, date, out string) error {
	if _, err := time.Parse(time.RFC3339, date); err != nil || version == "" || out == "" {
		return fmt.Errorf("-version, -out and -date are needed, the date as 2026-11-24T10:20:30Z")
	}
	linked, err := linkedInto(binary)
	if err != nil {
		return err
	}
	for _, m := range linked.modules {
		if err := m.writeLicences(filepath.Join(out, "licenses")); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(out, "copyright"), copyright(linked), 0o644); err != nil {
		return err
	}
	data, err := materials(linked, version, date)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "rendered.cdx.json"), data, 0o644)
}
