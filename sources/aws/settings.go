package aws

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/rendered/rendered/internal/disk"
)

// maxSettings bounds a file of AWS's configuration, in bytes. A bundle of all public authorities
// has 250 KiB.
const maxSettings = 4 << 20

// settings are the files that AWS's configuration comes from: the shared config and credentials
// files, and the CA bundle.
//
// The SDK opens the shared files by their paths. It would wait for the other end of a pipe and read
// a device for ever. So each is read here first, and the SDK is given those alone that could be.
type settings struct {
	digests map[string][sha256.Size]byte // by path; of what is not there that of nothing

	config, credentials []string // what the SDK reads, never nil
	bundle              []byte   // nil: none is named
}

// readSettings reads the files that options and environment name, and gives their paths also beside
// an error. An error holds a path and never what the file says.
func readSettings(ctx context.Context, o Options) (settings, error) {
	s := settings{digests: make(map[string][sha256.Size]byte), config: []string{}, credentials: []string{}}
	var failed error
	for _, file := range []struct {
		variable, otherwise string
		list                *[]string
	}{
		{"AWS_CONFIG_FILE", config.DefaultSharedConfigFilename(), &s.config},
		{"AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename(), &s.credentials},
	} {
		path := absolute(cmp.Or(os.Getenv(file.variable), file.otherwise))
		content, err := readSetting(path)
		s.digests[path] = sha256.Sum256(content)
		if err == nil {
			*file.list = append(*file.list, path)
		} else if !isAbsent(err) {
			failed = cmp.Or(failed, err)
		}
	}
	path := s.bundlePath(ctx, o)
	if failed != nil || path == "" {
		return s, failed
	}
	s.bundle, failed = readSetting(path)
	s.digests[path] = sha256.Sum256(s.bundle)
	return s, failed
}

// bundlePath gives the path of the CA bundle; "" where the environment and the profile name none.
func (s settings) bundlePath(ctx context.Context, o Options) string {
	path := os.Getenv("AWS_CA_BUNDLE")
	if path == "" {
		name := cmp.Or(o.Profile, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"), config.DefaultSharedConfigProfile)
		profile, err := config.LoadSharedConfigProfile(ctx, name, func(l *config.LoadSharedConfigOptions) {
			l.ConfigFiles, l.CredentialsFiles = s.config, s.credentials
		})
		if err != nil {
			return "" // load says why
		}
		path = profile.CustomCABundle
	}
	if path == "" {
		return ""
	}
	return absolute(path)
}

// options has the SDK read what was read, and nothing else.
func (s settings) options() []func(*config.LoadOptions) error {
	list := []func(*config.LoadOptions) error{config.WithSharedConfigFiles(s.config), config.WithSharedCredentialsFiles(s.credentials)}
	if s.bundle != nil {
		list = append(list, config.WithCustomCABundle(bytes.NewReader(s.bundle)))
	}
	return list
}

// same tells whether the files are as they were.
func (s settings) same() bool {
	for path, was := range s.digests {
		if content, err := readSetting(path); err != nil && !isAbsent(err) || sha256.Sum256(content) != was {
			return false
		}
	}
	return true
}

// Files gives the absolute paths of the files that New reads with these options as far as they are
// known, whether or not they are there: the shared config and credentials files, and the CA bundle.
func Files(ctx context.Context, o Options) []string {
	s, _ := readSettings(ctx, o)
	return slices.Sorted(maps.Keys(s.digests))
}

func absolute(path string) string {
	if all, err := filepath.Abs(path); err == nil {
		return all
	}
	return path
}

// readSetting gives the content of one file, never nil; nothing of the null device, by which a file
// is switched off. As root it reads none that others can change: it names programs to run, and AWS
// to be somebody else's.
func readSetting(path string) ([]byte, error) {
	content, err := disk.ReadTrusted(path, maxSettings)
	if err == disk.ErrNotRegular && isNull(path) {
		content, err = []byte{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("AWS config file %s: %w", path, disk.Reason(err))
	}
	return content, nil
}

// isAbsent tells of an error that a file is not there, or is not for us to read. Shared files need
// not be.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// isNull tells whether a path leads to the null device.
func isNull(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
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
