package manual

import "github.com/rendered/rendered/cmd/rendered/internal/config"

// Schema gives the JSON Schema of the config file.
func Schema() []byte { return config.Schema() }
