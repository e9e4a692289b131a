#!/usr/bin/python3
"""Random requests, signed by botocore and by test_sigv4: both must agree. Prints its seed and takes one back.

TOCSIN_TEST_WRAPPER: a command that test_sigv4 is run under.
"""
import os
import random
import shlex
import subprocess
import sys

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print('python3-botocore is not installed')
    sys.exit(77)

SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
DATE = '20260102T030405Z'


def signature(method, url, header, body, service):
    auth = botocore.auth.S3SigV4Auth if service == 's3' else botocore.auth.SigV4Auth
    auth = auth(Credentials('AKID', SECRET), service, 'eu-west-1')
    request = AWSRequest(method=method, url=url, data=body, headers={'x-amz-meta': header})
    request.context.update(timestamp=DATE, payload_signing_enabled=True)
    request.headers['X-Amz-Date'] = DATE
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def text(rng, alphabet, most):
    return ''.join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))


def main():
    program, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print('seed', seed)
    rng, lines = random.Random(seed), []
    for _ in range(400):
        service = rng.choice(['xray', 's3'])
        path = '/' + text(rng, ['a', 'B', '0', '/', '//', '/./', '/../', '.', '..', '~', '_', '-', '%20', '%2F', ':', '@', '+', '='], 12)
        query = '&'.join(text(rng, 'abAB01%_', 4) + rng.choice(['=', '', '=x%20y', '=%3D', '=b']) for _ in range(rng.randint(0, 5)))
        query = '&'.join(pair for pair in query.split('&') if pair and not pair.startswith('='))
        if service == 's3':
            query = ''  # botocore signs S3's parameters by another way
        header = text(rng, 'ab  c', 10).strip() or 'v'
        body = text(rng, 'xyz{}":, %=é', 40)
        host = rng.choice(['xray.eu-west-1.amazonaws.com', '127.0.0.1:4566'])
        bare = '&'.join(pair if '=' in pair else pair + '=' for pair in query.split('&')) if query else ''
        url = 'https://' + host + path + ('?' + bare if bare else '')
        lines.append('\t'.join([rng.choice(['GET', 'POST']), host, path, query, header, body, service]))
        method = lines[-1].split('\t')[0]
        lines[-1] += '\t' + signature(method, url, header, body.encode(), service)
    wrapper = shlex.split(os.environ.get('TOCSIN_TEST_WRAPPER', ''))
    done = subprocess.run([*wrapper, program, 'lines'], input='\n'.join(lines) + '\n', text=True, timeout=600)
    sys.exit(done.returncode)


main()
