package lint

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/render"
)

// A half is where one of a pair is written.
type half struct {
	service Service
	file    *config.File
}

// splitPairs finds certificates whose key another service writes: of the same secret, or of the
// same name.
func (l *linter) splitPairs(services []Service) {
	certificates, keys := make(map[string][]half), make(map[string][]half)
	for _, s := range services {
		for i := range s.Files {
			f := &s.Files[i]
			key := isKey(f, s.Service, s.Templates[i])
			for _, name := range halves(f, s.Templates[i], certificate) {
				if !key || !strings.HasPrefix(name, byPath) {
					certificates[name] = append(certificates[name], half{s, f})
				}
			}
			if key {
				for _, name := range halves(f, s.Templates[i], privateHalf) {
					keys[name] = append(keys[name], half{s, f})
				}
			}
		}
	}
	for name, found := range keys {
		for _, key := range found {
			l.split(key, certificates[name])
		}
	}
}

// split finds certificates that are apart from a key which has none beside it.
func (l *linter) split(key half, certificates []half) {
	if slices.ContainsFunc(certificates, func(c half) bool { return c.service.Name == key.service.Name }) {
		return
	}
	for _, cert := range certificates {
		if cert.service.Allows(config.SplitPair) {
			continue
		}
		l.note(key.service, config.SplitPair, l.config.Warning(key.file.Place,
			fmt.Sprintf("the key %s and its certificate %s are in two services, %s and %s, and change one after the other", key.file.Path, cert.file.Path, key.service.Name, cert.service.Name),
			"files of one service change together, and come from one version of the secret: put both into one, with verify: tls:"))
	}
}

// byPath begins the name of a pair that goes by its files' names.
const byPath = "path "

// halves gives what a file has in common with the other half of its pair: the secrets that both
// come from, and its path without an end.
func halves(f *config.File, t *render.Template, is func(key string) bool) (names []string) {
	found := false
	for ref, keys := range t.Used() {
		for _, key := range keys {
			if is(strings.ToLower(key)) {
				names, found = append(names, ref.String()), true
			}
		}
	}
	ext := filepath.Ext(f.Path)
	if found || len(t.Used()) > 0 && strings.Contains(".crt .cer .pem .key", ext) && ext != "" {
		names = append(names, byPath+strings.TrimSuffix(f.Path, ext))
	}
	return names
}

func certificate(key string) bool { return certificateKey.MatchString(key) }

func privateHalf(key string) bool { return privateKey.MatchString(key) && !otherKey.MatchString(key) }
