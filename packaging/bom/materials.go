package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// What of https://cyclonedx.org/docs/1.6/json/ is used here.
type (
	bill struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type     string    `json:"type"`
		Ref      string    `json:"bom-ref"`
		Name     string    `json:"name"`
		Version  string    `json:"version"`
		Hashes   []hash    `json:"hashes,omitempty"`
		Licences []allowed `json:"licenses"`
		PURL     string    `json:"purl"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	allowed struct {
		Expression string `json:"expression"`
	}
	dependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	}
)

// materials writes the bill. The same binary gives the same bytes: it has no serial number, and its
// time is that of the version.
func materials(l *linkage, version, date string) ([]byte, error) {
	self := component{
		Type:     "application",
		Name:     "rendered",
		Version:  version,
		Licences: []allowed{{"Apache-2.0"}},
		PURL:     fmt.Sprintf("pkg:golang/%s@%s?goarch=%s&goos=linux#cmd/rendered", l.module, escaped(version), l.arch),
	}
	self.Ref = self.PURL
	b := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{date, self}}
	direct := dependency{Ref: self.Ref}
	for _, m := range l.modules {
		c := component{
			Type:     "library",
			Name:     m.path,
			Version:  m.version,
			Licences: []allowed{{strings.Join(m.names(), " AND ")}},
			PURL:     fmt.Sprintf("pkg:golang/%s@%s", m.path, escaped(m.version)),
		}
		c.Ref = c.PURL
		if m.sum != "" {
			digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:"))
			if err != nil {
				return nil, fmt.Errorf("%s: the sum %s: %w", m.path, m.sum, err)
			}
			// The digest is that of the files' sums, as go.sum has it.
			c.Hashes = []hash{{"SHA-256", hex.EncodeToString(digest)}}
		}
		b.Components = append(b.Components, c)
		direct.On = append(direct.On, c.Ref)
	}
	b.Dependencies = []dependency{direct}
	data, err := json.MarshalIndent(b, "", "  ")
	return append(data, '\n'), err
}

// escaped writes a version for a package URL.
func escaped(version string) string {
	return strings.NewReplacer("%", "%25", "+", "%2B").Replace(version)
}
