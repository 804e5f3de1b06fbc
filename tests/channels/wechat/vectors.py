"""WeChat's published examples (developers.weixin.qq.com …/push/encryption.html)."""

TOKEN, KEY, APP_ID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
GET = ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696")
PLAIN_POST = ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78")
IN = (
    "1714112445",
    "415670741",
    "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740X"
    "gXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwn"
    "trA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
)
OUT_RANDOM, OUT_MESSAGE = b"707722b803182950", b'{"demo_resp":"good luck"}'
OUT = (
    "1713424427",
    "415670741",
    "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
)
