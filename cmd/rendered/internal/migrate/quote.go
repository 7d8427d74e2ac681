package migrate

import (
	"path/filepath"
	"strings"
)

// notationOf gives the notation of a file in which values are quoted, by its name; "" is none.
func notationOf(f *file) string {
	name := strings.TrimSuffix(filepath.Base(f.path), ".tmpl")
	switch ext := filepath.Ext(name); ext {
	case ".env":
		return "env"
	case ".json", ".toml", ".properties", ".ini":
		return ext[1:]
	case ".yaml", ".yml":
		return "yaml"
	}
	return ""
}
