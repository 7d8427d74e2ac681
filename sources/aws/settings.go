package aws

import (
	"cmp"
	"crypto/sha256"
	"io"
	"os"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// settings are the files that AWS's configuration came from, with a digest of each: the shared
// config and credentials files, and the CA bundle. The SDK reads them once.
type settings map[string][sha256.Size]byte

// lookAtSettings gives the files that load is about to read, as far as they are known.
func lookAtSettings() settings {
	s := make(settings)
	s.add(cmp.Or(os.Getenv("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename()))
	s.add(cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename()))
	s.add(os.Getenv("AWS_CA_BUNDLE"))
	return s
}

// addBundle adds the CA bundle that the profile names.
func (s settings) addBundle(cfg awssdk.Config) {
	if p := profileOf(cfg); p != nil {
		s.add(p.CustomCABundle)
	}
}

func (s settings) add(path string) {
	if path != "" {
		s[path] = digest(path)
	}
}

// same tells whether the files are as they were.
func (s settings) same() bool {
	for path, was := range s {
		if digest(path) != was {
			return false
		}
	}
	return true
}

// digest gives the zero digest of what is no regular file, or cannot be read.
func digest(path string) (sum [sha256.Size]byte) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return sum
	}
	f, err := os.Open(path)
	if err != nil {
		return sum
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err == nil {
		h.Sum(sum[:0])
	}
	return sum
}

// profileOf gives the profile in use, with what it refers to; nil where there is none.
func profileOf(cfg awssdk.Config) *config.SharedConfig {
	for _, from := range cfg.ConfigSources {
		switch p := from.(type) {
		case config.SharedConfig:
			return &p
		case *config.SharedConfig:
			return p
		}
	}
	return nil
}
