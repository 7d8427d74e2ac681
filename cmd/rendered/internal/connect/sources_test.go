package connect

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/sources"
)

// Every kind has who answers it, by itself, and with a values file in the place of AWS.
func TestEveryKindIsAnswered(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	for _, kind := range sources.Kinds(func(sources.Traits) bool { return true }) {
		for _, values := range []string{"", filepath.Join(t.TempDir(), "values.yaml")} {
			var s Sources
			source, failed := s.Open(t.Context(), &config.Config{Values: values}, map[sources.Kind]bool{kind: true})
			if failed != nil {
				t.Fatal(failed.Text())
			}
			mux := source.(sources.Mux)
			if !slices.ContainsFunc(mux, func(r sources.Route) bool { return slices.Contains(r.Kinds, kind) }) {
				t.Errorf("nobody answers a %s, with values %q", kind, values)
			}
			if aws := s.AWS() != nil; aws != (values == "" && kind.Traits().Answerer == sources.AWS) {
				t.Errorf("a %s, with values %q: AWS is made: %v", kind, values, aws)
			}
			s.source.close()
			s.metadata.close()
		}
	}
}
