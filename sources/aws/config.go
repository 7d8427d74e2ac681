package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

const (
	// answerWithin is how long one attempt may take. The SDK itself has no limit.
	answerWithin = 10 * time.Second
	// idleFor keeps connections from pass to pass of the default schedule, as far as AWS does. The
	// SDK gives up after 90 s.
	idleFor = 10 * time.Minute
	// metadataWithin is how long instance metadata may take to name the Region. On EC2 it takes
	// milliseconds; elsewhere nobody answers.
	metadataWithin = 2 * time.Second
)

// load reads the environment and the shared config files as every AWS tool does, and gives the
// files that it read. It does not use the network. What the SDK makes on the way, the chain of
// credentials, uses the connections.
func load(ctx context.Context, o Options, c *connections) (awssdk.Config, settings, error) {
	files, err := readSettings(ctx, o)
	if err != nil {
		return awssdk.Config{}, files, err
	}
	name := "rendered"
	if o.Version != "" {
		name += "/" + o.Version
	}
	var chained endpoint
	options := append(files.options(),
		config.WithHTTPClient(c.forSDK()),
		config.WithAPIOptions([]func(*middleware.Stack) error{c.carry}),
		config.WithAppID(name),
		config.WithLogger(logging.Nop{}),
		config.WithAssumeRoleCredentialOptions(chained.forRoles),
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			chained.forTokens(o)
			forWebIdentity(o)
		}),
		config.WithEndpointCredentialOptions(forContainer),
	)
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.EndpointURL != "" {
		options = append(options, config.WithBaseEndpoint(o.EndpointURL))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return awssdk.Config{}, files, unusable(err)
	}
	chained.url = cfg.BaseEndpoint
	c.adopt(cfg.HTTPClient)
	if cfg.Credentials, err = withOurs(cfg, c); err != nil {
		return awssdk.Config{}, files, unusable(err)
	}
	return cfg, files, nil
}

// unusable rebuilds an error of config.LoadDefaultConfig: its own text may quote lines of a
// credentials file.
func unusable(err error) error {
	if e, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return fmt.Errorf("AWS profile %s is in none of the shared config files", e.Profile)
	}
	if e, ok := errors.AsType[config.SharedConfigAssumeRoleError](err); ok {
		return fmt.Errorf("AWS profile %s: its source_profile or credential_source cannot be used", e.Profile)
	}
	if e, ok := errors.AsType[config.CredentialRequiresARNError](err); ok {
		return fmt.Errorf("AWS profile %s: it has no role_arn", e.Profile)
	}
	if e, ok := errors.AsType[config.SharedConfigLoadError](err); ok {
		return fmt.Errorf("AWS config file %s cannot be read", e.Filename)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("AWS config: %w", e)
	}
	switch {
	case is[config.AssumeRoleTokenProviderNotSetError](err):
		return errors.New("AWS profile: mfa_serial asks for a code, and nobody is there to type it")
	case strings.Contains(err.Error(), "CA bundle"):
		return errors.New("AWS config: the file of AWS_CA_BUNDLE or ca_bundle holds no certificate")
	}
	return errors.New("AWS config: the AWS_… variables or the profile hold something that cannot be used; aws configure list shows what is set, and where")
}

// region gives the Region of the config, or the one that instance metadata names.
func region(ctx context.Context, cfg awssdk.Config, c *connections) (string, error) {
	if cfg.Region != "" {
		return cfg.Region, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataWithin)
	defer cancel()
	out, err := imds.NewFromConfig(cfg).GetRegion(ctx, new(imds.GetRegionInput))
	if err != nil || out.Region == "" {
		return "", noRegion{silent: isSilence(err), metadata: c.metadataFailure(err)}
	}
	return out.Region, nil
}

// A noRegion is that there is no Region. Where instance metadata, which might name one, is silent,
// it may be only the network that is not there yet.
type noRegion struct {
	silent   bool
	metadata string // what it does in the place of answering; "" where it has no answer
}

func (e noRegion) Error() string {
	const unset = "no AWS Region: set aws.region, AWS_REGION, or region in the profile; instance metadata "
	if e.metadata != "" {
		return unset + e.metadata
	}
	return unset + "names none"
}

// LacksRegion reports that there is no source because no Region is set.
func LacksRegion(err error) bool { return is[noRegion](err) }

// Temporary tells whether it may be otherwise later.
func (e noRegion) Temporary() bool { return e.silent }

// isSilence tells whether nobody answered.
func isSilence(err error) bool {
	return !is[*badAnswer](err) && (is[net.Error](err) || errors.Is(err, context.DeadlineExceeded))
}
