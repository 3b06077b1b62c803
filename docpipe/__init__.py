"""docpipe: folders of documents in, answers with proof out."""
