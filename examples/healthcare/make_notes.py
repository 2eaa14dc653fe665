"""Writes the shipped clinical notes: `python3 make_notes.py`, from this folder.

Nobody in them exists: names are drawn from lists, numbers from ranges that are never given out (telephone 555-01xx,
social security numbers from 9xx, example.org). The same on every run.
"""

import json
import random
from datetime import date, timedelta
from pathlib import Path

TARGET = Path(__file__).parent / "functions" / "fetch_notes" / "notes.jsonl"

# Women and men take turns.
NAMES = [
    ("Ngozi", "Okafor"), ("Harold", "Whitcomb"), ("Maribel", "Delgado"), ("Søren", "Lindqvist"),
    ("Denise", "Pettigrew"), ("Walter", "Castellano"), ("Priya", "Raghunathan"), ("Tomasz", "Kowalczyk"),
    ("Eleanor", "Vandermeer"), ("Darnell", "Hathaway"), ("Loretta", "Broussard"), ("Hiroshi", "Nakamura"),
    ("Beatriz", "Figueroa"), ("Amir", "Farrokhzad"), ("Gwendolyn", "Abernathy"), ("Emeka", "Thistlewood"),
]  # fmt: skip
AGES = [34, 71, 58, 96, 47, 66, 41, 84, 93, 52, 77, 63, 29, 77, 91, 45]
DOCTORS = ["Marguerite Osei", "Stephen Halvorsen", "Anjali Deshpande", "Patrick O'Rourke"]
PLACES = [
    ("Hawthorne Street", "Somerville", "MA", "02143"),
    ("Beacon Avenue", "Seattle", "WA", "98118"),
    ("Cottonwood Drive", "Thermopolis", "WY", "82143"),
    ("Magnolia Court", "Savannah", "GA", "31401"),
    ("Juniper Lane", "Boise", "ID", "83702"),
    ("Larkspur Road", "Colebrook", "NH", "03601"),
]
CASES = [
    {
        "ward": "cardiology",
        "problem": "exertional chest pain",
        "history": "hypertension, hyperlipidemia and type 2 diabetes",
        "denies": "syncope or palpitations",
        "plan": "Started metoprolol 25 mg twice daily; continue atorvastatin 40 mg and aspirin 81 mg.",
    },
    {
        "ward": "cardiology",
        "problem": "worsening leg swelling and dyspnea",
        "history": "heart failure, atrial fibrillation and hypertension",
        "denies": "chest pain",
        "plan": "Increased furosemide to 40 mg daily; continue apixaban 5 mg twice daily and lisinopril 10 mg.",
    },
    {
        "ward": "pulmonology",
        "problem": "cough with wheezing for two weeks",
        "history": "asthma and seasonal allergies",
        "denies": "fever or hemoptysis",
        "plan": "Albuterol inhaler as needed, prednisone 40 mg for five days, montelukast 10 mg at night.",
    },
    {
        "ward": "pulmonology",
        "problem": "shortness of breath on stairs",
        "history": "COPD, hypertension and former smoking",
        "denies": "chest pain or orthopnea",
        "plan": "Tiotropium once daily; albuterol as needed; referred to pulmonary rehabilitation.",
    },
    {
        "ward": "endocrinology",
        "problem": "follow-up of blood sugar",
        "history": "type 2 diabetes, chronic kidney disease and hyperlipidemia",
        "denies": "hypoglycemia",
        "plan": "Metformin 500 mg twice daily, insulin glargine 18 units at night, atorvastatin 20 mg.",
    },
    {
        "ward": "endocrinology",
        "problem": "fatigue and weight gain",
        "history": "hypothyroidism and depression",
        "denies": "cold intolerance or heart failure",
        "plan": "Levothyroxine raised to 100 mcg daily; continue sertraline 50 mg.",
    },
]
LETTERS = [
    "{given} {family} (MRN {mrn}, DOB {birth:%m/%d/%Y}) is a {age}-year-old {sex} seen on {seen:%B %d, %Y} for {problem}. "
    "History of {history}. Denies {denies}. BP {bp}. {plan} Dr. {doctor} will call the patient at {phone}.",
    "DISCHARGE SUMMARY. Patient: {family}, {given}. MRN: {mrn}. Admitted {seen:%m/%d/%Y}, discharged {left:%m/%d/%Y}. "
    "{title} {family}, {age} y/o, presented with {problem}. Past history: {history}. No {denies}. On discharge BP {bp}. "
    "{plan} Home address: {number} {street}, {town}, {state} {zip}. Dictated by {doctor}, MD.",
    "TELEPHONE NOTE {seen:%Y-%m-%d}. {title} {family} called from {phone} about {problem}. Verified by SSN {ssn} and date of "
    "birth {birth:%m/%d/%Y}. Known {history}. Patient denies {denies}. Home BP {bp}. Advice: {plan} "
    "Summary sent to {email}. Signed, {doctor}.",
    "CONSULT requested by Dr. {surname} for {given} {family}, {age} years old, MRN {mrn}. Reason: {problem}. "
    "Known to us since {since:%B %Y} with {history}; without {denies}. Vitals today ({seen:%d %b %Y}): BP {bp}. "
    "Plan: {plan} Health plan ID {plan_id}. Lives at {number} {street}, {town}, {state} {zip}.",
]


def make_patient(rng, number):
    age = AGES[number]
    given, family = NAMES[number]
    street, town, state, zip_code = rng.choice(PLACES)
    return {
        "given": given,
        "family": family,
        "age": age,
        "birth": date(2024 - age, 1, 1) - timedelta(days=rng.randint(5, 360)),
        "sex": ["woman", "man"][number % 2],
        "title": "Mr." if number % 2 else rng.choice(["Ms.", "Mrs."]),
        "mrn": f"{rng.randint(10_000_000, 99_999_999)}",
        "phone": rng.choice(["({0}) 555-01{1:02}", "{0}-555-01{1:02}", "{0}.555.01{1:02}"]).format(
            rng.choice([206, 617, 912]), rng.randint(0, 99)
        ),
        "ssn": f"9{rng.randint(10, 99)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        "email": f"{family.lower()}.{given[0].lower()}@example.org",
        "plan_id": f"HPN-{rng.randint(100_000, 999_999)}-{rng.randint(10, 99)}",
        "number": rng.randint(3, 1980),
        "street": street,
        "town": town,
        "state": state,
        "zip": zip_code,
        "case": CASES[number % len(CASES)],
    }


def make_note(rng, number, patient):
    seen = date(2024, 1, 8) + timedelta(days=5 * number + rng.randint(0, 4))
    doctor = rng.choice(DOCTORS)
    text = LETTERS[number % len(LETTERS)].format(
        **patient,
        **{name: patient["case"][name] for name in ("problem", "history", "denies", "plan")},
        seen=seen,
        left=seen + timedelta(days=rng.randint(2, 9)),
        since=seen - timedelta(days=rng.randint(200, 3000)),
        bp=f"{rng.randint(112, 168)}/{rng.randint(64, 98)}",
        doctor=doctor,
        surname=doctor.split()[-1],
    )
    return {"note": f"N{number + 1:03}", "ward": patient["case"]["ward"], "mrn": patient["mrn"], "text": text}


if __name__ == "__main__":
    generator = random.Random(164_514)
    patients = [make_patient(generator, number) for number in range(len(NAMES))]
    # Each patient is seen at least twice; the rest come back at random.
    seen = patients * 2 + generator.choices(patients, k=8)
    generator.shuffle(seen)
    with open(TARGET, "w", encoding="utf-8") as file:
        for position, patient in enumerate(seen):
            file.write(json.dumps(make_note(generator, position, patient), ensure_ascii=False) + "\n")
