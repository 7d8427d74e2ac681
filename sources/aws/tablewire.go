package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A requestSigner signs a request by AWS's Signature Version 4.
type requestSigner func(context.Context, awssdk.Credentials, *http.Request, string, string, string, time.Time, ...func(*v4.SignerOptions)) error

func newRequestSigner() requestSigner { return v4.NewSigner().SignHTTP }

// conditionFails is the code of an update whose condition does not hold.
const conditionFails = "ConditionalCheckFailedException"

// send sends one request by AWS JSON 1.0, and gives its answer and for how many units AWS charges.
// Errors are as those of the SDK's clients.
func (t *Table) send(ctx context.Context, api string, body []byte) (reply Reply, units float64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, bytes.NewReader(body))
	if err != nil {
		return reply, 0, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+api)
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("User-Agent", "app/"+t.source.config.AppID)
	credentials, err := t.clients.identity.Retrieve(ctx)
	if err != nil {
		return reply, 0, err
	}
	sum := sha256.Sum256(body)
	if err := t.signer(ctx, credentials, r, hex.EncodeToString(sum[:]), "dynamodb", t.clients.region, time.Now()); err != nil {
		return reply, 0, err
	}
	answer, err := t.carrier.Do(r)
	if err != nil {
		return reply, 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body) // which the carrier has read, within bounds
	if err == nil {
		err = reply.note(answer.Header, text)
	}
	if err == nil {
		units, err = reply.read(answer.StatusCode, text)
	}
	if err != nil {
		err = &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: err}
	}
	return reply, units, err
}

// errDamaged is of an answer that is not as AWS has sent it.
var errDamaged = &badAnswer{"the answer is not as AWS has sent it: its checksum is another"}

// note notes whose an answer is, and when it was given, and holds its body against its checksum.
func (r *Reply) note(header http.Header, body []byte) error {
	r.Came = header.Get("X-Amzn-Requestid") != ""
	sum := header.Get("X-Amz-Crc32")
	if sum == "" || !r.Came {
		return nil
	}
	if strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10) != sum {
		return errDamaged
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		r.Date = date
	}
	return nil
}

// read reads an answer. An error without a code is that it is not AWS's.
func (r *Reply) read(status int, body []byte) (units float64, err error) {
	var answer struct {
		Type    string `json:"__type"`
		Message string
		Item    map[string]Attribute

		Items            []map[string]Attribute
		Count            int
		LastEvaluatedKey map[string]Attribute
		ConsumedCapacity struct{ CapacityUnits float64 }
	}
	err = json.Unmarshal(body, &answer)
	code := answer.Type[strings.LastIndex(answer.Type, "#")+1:]
	switch {
	case status == http.StatusOK && r.Came && err == nil:
		r.Items, r.Count = answer.Items, answer.Count
		if len(answer.LastEvaluatedKey) > 0 {
			r.Next = answer.LastEvaluatedKey
		}
		return answer.ConsumedCapacity.CapacityUnits, nil
	case code == conditionFails && r.Came:
		r.Refused, r.Old = true, answer.Item
		return 1, nil // AWS charges one, and does not say so
	case code != "" && r.Came && err == nil:
		return 0, &smithy.GenericAPIError{Code: code, Message: answer.Message}
	}
	return 0, errNotAWS
}

// errNotAWS is told by its status.
var errNotAWS = errors.New("no answer of AWS")

// tableEndpoint gives the URL that DynamoDB is asked at: that of the config, of the environment or
// the profile for DynamoDB alone, of those for all services, or AWS's.
func (s *Source) tableEndpoint(region string) string {
	_, all := os.LookupEnv("AWS_ENDPOINT_URL")
	_, own := os.LookupEnv("AWS_ENDPOINT_URL_DYNAMODB")
	if url := s.options.EndpointURL; url != "" {
		return url
	}
	if !all || own {
		if url := s.endpointOf("DynamoDB"); url != "" {
			return url
		}
	}
	if s.config.BaseEndpoint != nil {
		return *s.config.BaseEndpoint
	}
	return s.publicEndpoint(region)
}

// endpointOf gives what the environment or the profile says for one service.
func (s *Source) endpointOf(service string) string {
	if ignored, _ := strconv.ParseBool(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")); ignored {
		return ""
	}
	for _, from := range s.config.ConfigSources {
		if c, ok := from.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); ok {
			if url, found, err := c.GetServiceBaseEndpoint(context.Background(), service); found && err == nil {
				return url
			}
		}
	}
	return ""
}

// publicEndpoint gives AWS's own, which is called as that of SQS, in each partition, with FIPS, and
// for IPv6.
func (s *Source) publicEndpoint(region string) string {
	params := sqs.EndpointParameters{Region: &region, UseFIPS: new(bool), UseDualStack: new(bool)}
	for _, from := range s.config.ConfigSources {
		if c, ok := from.(interface {
			GetUseFIPSEndpoint(context.Context) (awssdk.FIPSEndpointState, bool, error)
		}); ok {
			if state, found, err := c.GetUseFIPSEndpoint(context.Background()); found && err == nil && state == awssdk.FIPSEndpointStateEnabled {
				*params.UseFIPS = true
			}
		}
		if c, ok := from.(interface {
			GetUseDualStackEndpoint(context.Context) (awssdk.DualStackEndpointState, bool, error)
		}); ok {
			if state, found, err := c.GetUseDualStackEndpoint(context.Background()); found && err == nil && state == awssdk.DualStackEndpointStateEnabled {
				*params.UseDualStack = true
			}
		}
	}
	e, err := sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), params)
	if err != nil {
		return "https://dynamodb." + region + ".amazonaws.com"
	}
	return strings.Replace(e.URI.String(), "//sqs", "//dynamodb", 1)
}
