package aws

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/rendered/rendered/sources"
)

// Metadata answers IMDS refs from the metadata service of the EC2 instance (IMDSv2). It may be used
// from several goroutines.
type Metadata struct {
	client      *imds.Client
	connections *connections
	settings    settings
}

// NewMetadata gives the source. It asks nobody; AWS_EC2_METADATA_SERVICE_ENDPOINT and
// AWS_EC2_METADATA_DISABLED hold for it as for every AWS tool. The error is that of New.
func NewMetadata(ctx context.Context, o Options) (*Metadata, error) {
	c := newConnections(o)
	cfg, files, err := load(ctx, o, c)
	if err != nil {
		return nil, err
	}
	return &Metadata{imds.NewFromConfig(cfg), c, files}, nil
}

// Current tells whether no file of AWS's configuration has changed.
func (m *Metadata) Current() bool { return m.settings.same() }

// Close closes the connections, as Source.Close does.
func (m *Metadata) Close() { m.connections.Close() }

// metadataPatience is how long a path may take. The service is on the machine: it takes
// milliseconds or does not answer.
const metadataPatience = 5 * time.Second

// Fetch asks for each path.
func (m *Metadata) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	ctx, cancel := context.WithTimeout(ctx, metadataPatience)
	defer cancel()
	var all sync.WaitGroup
	for _, r := range refs {
		all.Go(func() {
			sources.Guard([]sources.Ref{r}, deliver, func() { deliver(r, m.answer(ctx, r)) })
		})
	}
	all.Wait()
}

func (m *Metadata) answer(ctx context.Context, r sources.Ref) sources.Result {
	text, err := m.read(ctx, r.Name)
	if err == nil {
		// A role's keys and what the instance was started with are nobody's business.
		secret := strings.HasPrefix(r.Name, "iam/") || strings.HasPrefix(r.Name, "user-data")
		return sources.Result{Value: sources.Value{Text: text, Secret: secret}}
	}
	e := &sources.Error{Ref: r, Reason: sources.Unavailable}
	switch code := status(err); code {
	case http.StatusNotFound:
		e.Reason = sources.Missing
		if strings.HasPrefix(r.Name, "tags/") {
			e.Hints = []string{"tags are there where the instance allows it:  aws ec2 modify-instance-metadata-options --instance-metadata-tags enabled"}
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Reason, e.Detail = sources.Denied, "instance metadata "+m.connections.metadataFailure(err)
		e.Hints = []string{"is instance metadata switched on?  aws ec2 modify-instance-metadata-options --http-endpoint enabled"}
	default:
		e.Detail = "instance metadata is switched off"
		if why := m.connections.metadataFailure(err); why != "" {
			e.Detail = "instance metadata " + why
		}
		if code == 0 {
			e.Hints = []string{"it is there on EC2 only; AWS_EC2_METADATA_DISABLED switches it off"}
		}
	}
	return sources.Result{Err: e}
}

// read gives what stands at a path: of dynamic data where it begins with dynamic/, the user data,
// else below meta-data.
func (m *Metadata) read(ctx context.Context, path string) (string, error) {
	var content io.ReadCloser
	if below, ok := strings.CutPrefix(path, "dynamic/"); ok {
		out, err := m.client.GetDynamicData(ctx, &imds.GetDynamicDataInput{Path: below})
		if err != nil {
			return "", err
		}
		content = out.Content
	} else if path == "user-data" {
		out, err := m.client.GetUserData(ctx, new(imds.GetUserDataInput))
		if err != nil {
			return "", err
		}
		content = out.Content
	} else {
		out, err := m.client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
		if err != nil {
			return "", err
		}
		content = out.Content
	}
	defer content.Close()
	text, err := io.ReadAll(content) // which is bounded, as every answer
	return string(text), err
}
