#include "core/provenance/envelope.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "core/base/text.h"
#include "core/provenance/statement.h"

using namespace glovebox;

namespace {

// The key of the published vectors: seed 00 01 … 1f.
PrivateKey vector_key() {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(i);
  return PrivateKey(seed);
}
PublicKey vector_public() {
  return public_key_of(vector_key()).value();
}
std::string bytes(const Signature& signature) {
  return {signature.begin(), signature.end()};
}
std::string read_vector(const std::string& name) {
  std::ifstream file(std::string(GLOVEBOX_SOURCE_DIR) + "/tests/vectors/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

constexpr const char* kBuilder = "tag:glovebox,2026:local";

Json small_statement() {
  Json statement;
  statement["_type"] = kStatementType;
  statement["subject"] = Json::array({{{"name", "a.log"}, {"digest", {{"sha256", Digest::of("a").hex()}}}}});
  statement["predicateType"] = kPredicateType;
  statement["predicate"]["buildDefinition"]["buildType"] = kBuildType;
  statement["predicate"]["runDetails"]["builder"]["id"] = kBuilder;
  statement["predicate"]["runDetails"]["glovebox_seq"] = 1U;
  statement["predicate"]["runDetails"]["glovebox_previous"] = nullptr;
  return statement;
}
Envelope sealed(const Json& statement) {
  return seal(dump_json(statement), vector_key()).value();
}
std::vector<TrustedKey> trusted() {
  return {{vector_public(), kBuilder}};
}
std::string refusal(const Json& statement) {
  const auto result = verify_envelope(sealed(statement), trusted());
  return result.ok() ? "verified" : result.error().message;
}

}  // namespace

TEST_CASE("the public key, its name and a signature are those of the published vectors") {
  const PublicKey key = vector_public();
  CHECK(hex_encode(std::string(key.begin(), key.end())) ==
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
  CHECK(key_id(vector_public()) == "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5");
  const std::string pae = dsse_pae(kInTotoType, "{}");
  CHECK(pae == "DSSEv1 28 application/vnd.in-toto+json 2 {}");
  CHECK(base64_encode(bytes(ed25519_sign(vector_key(), pae).value())) ==
        "dWG98CPWh3lAzt/mxzJ7Nc6Avgf2tjap4msM5gNmMV9Lpu+TWkZMk3lP/u6Su450zcqkLQw21MTZfwU07XgjCw==");
}

TEST_CASE("lengths in what is signed are bytes, not characters") {
  CHECK(dsse_pae("\xC3\xA9", "") == "DSSEv1 2 \xC3\xA9 0 ");
}

TEST_CASE("the public key's PEM is what other tools write and is read back") {
  CHECK(public_key_pem(vector_public()) == read_vector("envelope.pub.pem"));
  CHECK(parse_public_key_pem(read_vector("envelope.pub.pem")).value() == vector_public());
}

TEST_CASE("what is no Ed25519 public key in PEM is refused") {
  const std::string pem = public_key_pem(vector_public());
  CHECK_FALSE(parse_public_key_pem("").ok());
  CHECK_FALSE(parse_public_key_pem(pem + pem).ok());
  CHECK_FALSE(parse_public_key_pem("x" + pem).ok());
  CHECK_FALSE(parse_public_key_pem("-----BEGIN PUBLIC KEY-----").ok());
  std::string other_kind = pem;
  other_kind[other_kind.find("MCow") + 2] = 'p';
  CHECK_FALSE(parse_public_key_pem(other_kind).ok());
}

TEST_CASE("a signature is refused for another message, key or length") {
  const std::string message = "message";
  const std::string good = bytes(ed25519_sign(vector_key(), message).value());
  CHECK(ed25519_verify(vector_public(), message, good));
  CHECK_FALSE(ed25519_verify(vector_public(), "messag", good));
  CHECK_FALSE(ed25519_verify(vector_public(), message, good.substr(0, 63)));
  CHECK_FALSE(ed25519_verify(vector_public(), message, ""));
  PublicKey other = vector_public();
  other[0] ^= 1;
  CHECK_FALSE(ed25519_verify(other, message, good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(ed25519_verify(vector_public(), message, changed));
  }
}

TEST_CASE("an envelope made by another implementation is read, and its signature holds") {
  const Envelope envelope = parse_envelope(read_vector("envelope.json"), "envelope.json").value();
  REQUIRE(envelope.signatures.size() == 1);
  CHECK(ed25519_verify(vector_public(), dsse_pae(envelope.payload_type, envelope.payload),
                       envelope.signatures[0].signature));
  // It is a record, but not one of ours.
  const auto result = verify_envelope(envelope, trusted());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message == "the record is signed, but its build type is not that of Glovebox");
}

TEST_CASE("an envelope is read back as it was written") {
  const Envelope envelope = sealed(small_statement());
  const Envelope back = parse_envelope(envelope_text(envelope), "e").value();
  CHECK(back.payload == envelope.payload);
  CHECK(back.payload_type == kInTotoType);
  CHECK(back.signatures.at(0).signature == envelope.signatures.at(0).signature);
  CHECK(verify_envelope(back, trusted()).ok());
}

TEST_CASE("the URL-safe alphabet and unknown members are accepted, as DSSE demands") {
  const std::string text =
      R"({"payload":"_-8","payloadType":"t","signatures":[{"sig":"AA==","x":1}],"more":{}})";
  const auto envelope = parse_envelope(text, "e");
  REQUIRE(envelope.ok());
  CHECK(envelope->payload == "\xFF\xEF");
}

TEST_CASE("a damaged envelope is refused, and the message says where") {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"", "the envelope is damaged: not well-formed JSON"},
      {"[]", "the envelope is damaged:  must be an object"},
      {R"({"payloadType":"t","signatures":[{"sig":""}]})", "the envelope is damaged: payload is missing"},
      {R"({"payload":"*","payloadType":"t","signatures":[{"sig":""}]})",
       "the envelope is damaged: payload is not base64"},
      {R"({"payload":"","payloadType":1,"signatures":[{"sig":""}]})",
       "the envelope is damaged: payloadType must be a string"},
      {R"({"payload":"","payloadType":"t","signatures":[]})",
       "the envelope is damaged: signatures must be a list of 1 to 16"},
      {R"({"payload":"","payloadType":"t","signatures":["x"]})",
       "the envelope is damaged: signatures must be an object"},
      {R"({"payload":"","payload":"","payloadType":"t","signatures":[{"sig":""}]})",
       "the envelope is damaged: key \"payload\" is given twice"},
  };
  for (const auto& [text, message] : cases) {
    const auto result = parse_envelope(text, "e");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::kIntegrity);
    CHECK(result.error().message == message);
  }
}

TEST_CASE("one changed bit anywhere in what was signed is noticed") {
  const Envelope good = sealed(small_statement());
  for (std::size_t i = 0; i < good.payload.size(); i += 7) {
    Envelope changed = good;
    changed.payload[i] = static_cast<char>(changed.payload[i] ^ 1);
    const auto result = verify_envelope(changed, trusted());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message == "no trusted key has signed this record");
  }
  Envelope other_type = good;
  other_type.payload_type = "text/plain";
  CHECK(verify_envelope(other_type, trusted()).error().message ==
        "the envelope holds \"text/plain\", not a record");
}

TEST_CASE("a key id is a hint that decides nothing") {
  Envelope envelope = sealed(small_statement());
  envelope.signatures[0].keyid = "somebody else";
  CHECK(verify_envelope(envelope, trusted()).ok());
  envelope.signatures[0].signature[0] = static_cast<char>(envelope.signatures[0].signature[0] ^ 1);
  envelope.signatures[0].keyid = key_id(vector_public());
  CHECK_FALSE(verify_envelope(envelope, trusted()).ok());
  CHECK_FALSE(verify_envelope(sealed(small_statement()), {}).ok());
}

TEST_CASE("a key speaks for its own builder only") {
  Json statement = small_statement();
  statement["predicate"]["runDetails"]["builder"]["id"] = builder_id("production");
  CHECK(refusal(statement) ==
        "the record is signed, but by a key that does not speak for the builder it names");
  statement["predicate"]["runDetails"].erase("builder");
  CHECK(refusal(statement) ==
        "the record is signed, but by a key that does not speak for the builder it names");
}

TEST_CASE("what is signed must also be a record of ours") {
  CHECK(refusal(small_statement()) == "verified");
  Json statement = small_statement();
  statement["_type"] = "https://in-toto.io/Statement/v2";
  CHECK(refusal(statement) == "the record is signed, but it is not an in-toto statement v1");
  statement = small_statement();
  statement["predicateType"] = 1;
  CHECK(refusal(statement) == "the record is signed, but its predicate is not SLSA provenance v1");
  statement = small_statement();
  statement["subject"] = Json::array();
  CHECK(refusal(statement) == "the record is signed, but it has no subject");
  CHECK(refusal(Json::array()) == "the record is signed, but it is not an in-toto statement v1");
  const Envelope text = seal("not json", vector_key()).value();
  CHECK(verify_envelope(text, trusted()).error().message ==
        "the record is signed, but its statement is not JSON");
}

TEST_CASE("a gap, a repetition and a break in the sequence of records are told apart") {
  std::vector<ChainLink> links(3);
  for (std::size_t i = 0; i < links.size(); ++i) {
    links[i].seq = i + 1;
    links[i].envelope = Digest::of(std::to_string(i));
    if (i > 0) links[i].previous = links[i - 1].envelope;
  }
  CHECK(check_chain(links).ok());
  auto gap = links;
  gap.erase(gap.begin() + 1);
  CHECK(check_chain(gap).error().message == "records are missing between the numbers 1 and 3");
  auto twice = links;
  twice[2].seq = 2;
  CHECK(check_chain(twice).error().message == "two records have the number 2");
  auto broken = links;
  broken[2].previous = links[0].envelope;
  CHECK(check_chain(broken).error().message == "record 3 does not follow the one before it");
  broken[2].previous.reset();
  CHECK_FALSE(check_chain(broken).ok());
}

TEST_CASE("a record's place in the sequence is read from the verified statement") {
  Json statement = small_statement();
  const auto first = chain_link(verify_envelope(sealed(statement), trusted()).value(), "bytes").value();
  CHECK(first.seq == 1);
  CHECK_FALSE(first.previous.has_value());
  CHECK(first.envelope == Digest::of("bytes"));
  statement["predicate"]["runDetails"]["glovebox_previous"] = "nonsense";
  CHECK_FALSE(chain_link(verify_envelope(sealed(statement), trusted()).value(), "").ok());
  statement["predicate"]["runDetails"].erase("glovebox_seq");
  CHECK_FALSE(chain_link(verify_envelope(sealed(statement), trusted()).value(), "").ok());
}

TEST_CASE("a private key that was moved from holds nothing any more") {
  PrivateKey key = vector_key();
  const PrivateKey taken = std::move(key);
  CHECK(taken.seed()[31] == 31);
  CHECK(key.seed() == std::array<std::uint8_t, 32>{});  // NOLINT: looking at what is left is the point
}
