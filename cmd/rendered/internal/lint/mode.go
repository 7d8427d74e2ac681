package lint

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// private is the widest mode that a secret may have.
const private fs.FileMode = 0o640

// wide finds files that more can read, or write to, than should.
func (l *linter) wide(s Service) {
	for i := range s.Files {
		f := &s.Files[i]
		what := holds(s.Templates[i])
		key := isKey(f, s.Service, s.Templates[i])
		if what == "" && !key {
			continue
		}
		mode, kept := modeOf(f)
		outside := mode.Perm() &^ private
		so := fmt.Sprintf("mode %#o", mode.Perm())
		if kept {
			so = fmt.Sprintf("mode %#o, which it has now and keeps,", mode.Perm())
		}
		switch {
		case key && outside != 0:
			l.note(s, config.WideKey, l.config.Warning(f.ModeAt,
				fmt.Sprintf("%s is a private key, and %s lets %s", f.Path, so, whom(outside)), "mode: 0600, or 0640 with a group that has one user"))
		case key && mode&0o040 != 0:
			if names := l.users.of(f.GID); len(names) > 1 {
				l.note(s, config.WideKey, l.config.Warning(f.ModeAt,
					fmt.Sprintf("%s is a private key, and its group has %d users: %s", f.Path, len(names), listed(names)), "mode: 0600, or a group that has one user"))
			}
		case outside != 0:
			l.note(s, config.WideSecret, l.config.Warning(f.ModeAt,
				fmt.Sprintf("%s holds %s, and %s lets %s", f.Path, what, so, whom(outside)), "mode: 0600, or 0640 with a group that may read it"))
		}
	}
}

func listed(names []string) string {
	if len(names) > 4 {
		names = append(slices.Clone(names[:4]), "…")
	}
	return strings.Join(names, ", ")
}

// whom says who is let in by bits of a mode.
func whom(bits fs.FileMode) string {
	switch {
	case bits&0o004 != 0:
		return "everybody read it"
	case bits&0o002 != 0:
		return "everybody write to it"
	case bits&0o020 != 0:
		return "its group write to it"
	}
	return "it be executed"
}

// modeOf gives the mode that a file will have. Without one in the config that is the mode of the
// file that is there.
func modeOf(f *config.File) (mode fs.FileMode, kept bool) {
	if !f.KeepMode {
		return f.Mode, false
	}
	if st, err := disk.Stat(f.Path); err == nil && st.Mode().IsRegular() {
		return st.Mode(), true
	}
	return f.Mode, false
}

var (
	// Keys under which certificates are kept, and what belongs to an account and is no secret.
	certificateKey = lazyregexp.New(`^(.*[._-])?(certs?|crts?|certificates?|chain|fullchain|ca|ca_?chain|issuing_ca|bundle|ca_?bundle|cacert|csr|public|public_?key|pub_?key|pub)(\.(pem|crt|cer))?$`)
	factKey        = lazyregexp.New(`^(host|hostname|port|user|username|user_?name|engine|db_?name|database|region|dbinstanceidentifier|dbclusteridentifier|endpoint|schema|masterarn)$`)
	privateKey     = lazyregexp.New(`^(.*[._-])?(key|private_?key|priv_?key|id_(rsa|dsa|ecdsa|ed25519))(\.(pem|key))?$`)
	otherKey       = lazyregexp.New(`api|access|secret|licen[cs]e|public|session|encrypt|sign|auth|account|app_|storage|consumer|service`)
	secretName     = lazyregexp.New(`(?i)(password|passwd|secret|token|credential|private|api-?_?key)s?$`)
)

// holds names a secret that a template puts into its file; "" where there is none, or nothing but
// certificates and facts.
func holds(t *render.Template) string {
	used := t.Used()
	lookups := t.Lookups()
	if t.Each != nil {
		lookups = append(lookups, t.Each.Template.Lookups()...)
	}
	for _, l := range lookups {
		last := l.Ref.Name[strings.LastIndexByte(l.Ref.Name, '/')+1:]
		switch {
		case l.Asks:
		case l.Kind == sources.Secret && l.Ref == sources.Ref{}:
			return "a secret"
		case l.Kind == sources.Secret:
			for _, key := range used[l.Ref] {
				if !harmless(key, l.Ref) {
					return keyOf(l.Ref, key)
				}
			}
		case l.Kind.Traits().Secrecy != sources.NeverSecret && secretName.MatchString(last):
			return l.Ref.String()
		}
	}
	return ""
}

func keyOf(ref sources.Ref, key string) string {
	if key == "" {
		return ref.String()
	}
	return fmt.Sprintf("%s %q", ref, key)
}

// harmless reports that a value may be read by everybody, as its key says, or where it is the whole
// secret its name.
func harmless(key string, ref sources.Ref) bool {
	if key == "" {
		name := strings.ToLower(ref.Name[strings.LastIndexByte(ref.Name, '/')+1:])
		return certificateKey.MatchString(name)
	}
	key = strings.ToLower(key)
	return certificateKey.MatchString(key) || factKey.MatchString(key)
}

// isKey reports that a file holds a private key.
func isKey(f *config.File, s *config.Service, t *render.Template) bool {
	for _, v := range s.Verify {
		if v.Key == f.Path || v.Key == "" && v.Cert == f.Path {
			return true
		}
	}
	for _, keys := range t.Used() {
		for _, key := range keys {
			if privateHalf(strings.ToLower(key)) {
				return true
			}
		}
	}
	base := strings.ToLower(filepath.Base(f.Path))
	return len(t.Used()) > 0 && (strings.HasSuffix(base, ".key") || privateKey.MatchString(strings.TrimSuffix(base, ".pem")) && !otherKey.MatchString(base))
}
