"""Thresholds behind a scikit-learn pipeline: one estimator that is fitted, cross-validated and searched like any other.

Run: python examples/tuned_pipeline.py
"""

from __future__ import annotations

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from strategies import TunedThresholds


def main() -> None:
    x, y = make_classification(
        6000, 12, n_informative=6, n_classes=3, weights=[0.9, 0.07, 0.03], class_sep=0.8, random_state=0
    )
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.5, stratify=y, random_state=0)

    # The whole pipeline goes inside, so that preprocessing too is fitted without the rows that thresholds are tuned on.
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    tuned = TunedThresholds(pipeline, metric="macro-f1")

    # Parameters of the pipeline keep their names, behind `estimator__`.
    search = GridSearchCV(tuned, {"estimator__logisticregression__C": [0.1, 1.0]}, scoring="f1_macro", cv=3).fit(x, y)
    for name, model in (("plain pipeline", pipeline.fit(x, y)), ("tuned thresholds", search.best_estimator_)):
        predicted = model.predict(x_test)
        recall = recall_score(y_test, predicted, average=None).round(2).tolist()
        print(f"{name}: macro-F1 {f1_score(y_test, predicted, average='macro'):.3f}, recall by class {recall}")
    print("offsets on the log probabilities:", search.best_estimator_.thresholds_.offsets)


if __name__ == "__main__":
    main()
